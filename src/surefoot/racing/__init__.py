"""racing."""
