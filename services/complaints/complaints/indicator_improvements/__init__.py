"""Improvements that alerts of quality found (QLT-05): the PDCA circle without a complaint."""
