"""Where engines run, and how many instances at once."""
