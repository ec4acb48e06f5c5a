"""What packets say of themselves: pure functions over bytes that nobody vouches for."""
