"""Speed, claims of the documents, and what both are made with; see README.md."""
