"""Pages of the whole panel: the dashboard and what looks after the machine. Pages of jobs are the transcribe app's."""
