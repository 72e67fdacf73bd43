"""Matrix of faults: everything that can go wrong during each kind of change.

The faults are at Twilio, on the network, in the database and in this process. `uv run python -m
tests.faults.matrix` runs it and prints the results.
"""
