"""Redaction of secrets in text and JSON.

Other packages use `flows.redaction.redacted` for objects, and `flows.redaction.masking` for single
values and texts.
"""
