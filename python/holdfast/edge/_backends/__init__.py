"""What a device can be asked, one module for each language that devices speak."""
