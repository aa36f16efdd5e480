"""Small convolutional networks."""
