"""What people and programs call: the library facade and the command line."""
