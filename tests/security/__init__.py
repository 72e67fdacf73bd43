"""Security tests of the whole site: access, headers, hostile input from every side, and secrets.

They read the pages from the URL configuration (places.py), so that a new page can't be forgotten.
Rules of a single page are tested beside that page.
"""
