// Runs the orders example.
process.stdout.write('The orders example is still to be written.\n');
