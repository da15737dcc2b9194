"""What an incident is, what it measured, when it opens and ends, and how it reads afterwards. No Django, no clock."""
