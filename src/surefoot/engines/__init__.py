"""Engines: code that trains instances of one family of candidates."""
