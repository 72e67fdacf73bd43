"""Secrets in text and JSON, and the masks that stand in their place. `flows.redaction.masking` is the way in."""
