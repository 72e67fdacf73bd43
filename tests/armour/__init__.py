"""The page's armour, proved for the whole site at once: who may do what, the headers of every answer, what a hostile
API, address or form can't do, and that no secret leaks. The pages are read from the URL configuration (places.py), so
that a new one can't be forgotten. What one page promises is tested beside that page, not here.
"""
