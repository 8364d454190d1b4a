// Runs the benchmarks.
process.stdout.write('The benchmarks are still to be written.\n');
