"""The matrix of faults: everything that can go wrong at Twilio's end, on the way, in the database and with this
process, at every kind of change. `uv run python -m tests.faults.matrix` plays it and prints what came of it.
"""
