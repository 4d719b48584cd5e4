"""Reading the syntax of mail: fields, tokens, dates, encoded words, MIME parts. Knows nothing of what they mean."""
