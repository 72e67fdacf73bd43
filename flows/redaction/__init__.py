"""Redaction of secrets in text and JSON.

Other packages use `flows.redaction.masking`.
"""
