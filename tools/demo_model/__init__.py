"""A small speech recogniser in OpenAI's checkpoint format, trained on synthetic speech (see README.md)."""
