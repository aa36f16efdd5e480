"""Estimators and functions that are fitted in one call of their own."""
