"""What is shown to people, in words: amounts, names, cells of a table, and an event with its evidence."""
