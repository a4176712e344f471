"""What is checked and measured in the data before anything is built of them."""
