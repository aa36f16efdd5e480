"""The paper, study by study: its study files, what they train, and a verdict for each claim."""
