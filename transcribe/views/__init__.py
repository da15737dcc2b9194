"""Pages of the transcription app."""
