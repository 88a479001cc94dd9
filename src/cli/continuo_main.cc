// The program: `continuo help` says what it does.
#include "continuo/cli/command_line.h"

int main(int argc, char** argv) { return continuo::cli::run(argc, argv); }
