"""Published data sets made into crop sets (reference E.1): ``main.py prepare``."""
