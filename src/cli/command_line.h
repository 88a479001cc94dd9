// The command line: from words to one command, run.
#pragma once

namespace continuo::cli {

/// Reads the words, the environment (CONTINUO_*) and the settings file - in this order of weight -, runs the command,
/// prints its error. Gives the exit code.
int run(int argc, char** argv);

}  // namespace continuo::cli
