"""Objects that a user has marked: several components a class, distances to the marks, and minimum cuts."""
