"""Views: what a journal shows, as data of figures, tables and words that any drawer draws."""
