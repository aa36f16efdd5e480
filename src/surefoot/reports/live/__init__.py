"""A page that lives while a race runs: journals followed, their views served to browsers."""
