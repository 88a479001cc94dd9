import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import software.amazon.event.ruler.GenericMachine;

/**
 * event-ruler as one of the sides of bench/routing, which says what is asked on stdin and how it is answered:
 * {@code RulerSide EVENTS PATTERNS [structured]}, both files with a JSON object a line. `structured`: the way through
 * an event that is linear in its arrays.
 */
final class RulerSide {
  private final List<String> events;
  private final List<String> patterns;
  private final long[] sizes;
  private final long[] matches;
  private final GenericMachine<Integer> machine;
  private final double before;
  private int next = 0;

  private RulerSide(String eventFile, String patternFile, boolean structured) throws IOException {
    events = Files.readAllLines(Path.of(eventFile));
    sizes = events.stream().mapToLong(each -> each.getBytes(StandardCharsets.UTF_8).length).toArray();
    patterns = Files.readAllLines(Path.of(patternFile));
    matches = new long[patterns.size()];
    new GenericMachine<Integer>().addRule(0, patterns.get(0));  // what is loaded and read once is not counted
    heapMb();
    before = heapMb();
    machine = GenericMachine.<Integer>builder().withStructuredMatching(structured).build();
    double begin = processorSeconds();
    for (int i = 0; i < patterns.size(); ++i) {
      machine.addRule(i, patterns.get(i));
    }
    double took = processorSeconds() - begin;
    say("{\"events\": %d, \"rules\": %d, \"build_s\": %.4f, \"heap_mb\": %.2f}", events.size(), patterns.size(), took,
        heapMb() - before);
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
    System.out.flush();
  }

  /** Of the processor, for this thread: what else the machine does is not counted, nor are compiling and collecting. */
  private static double processorSeconds() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
  }

  /** What is left when nothing more can be collected. */
  private static double heapMb() {
    for (int i = 0; i < 4; ++i) { // only every fourth one moves all there is
      System.gc();
    }
    return (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) / 1e6;
  }

  private static double residentMb() throws IOException {
    String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
    return Long.parseLong(pages) * 4096 / 1e6;
  }

  private int match(String event) throws Exception {
    List<Integer> found = machine.rulesForJSONEvent(event);
    for (int index : found) {
      ++matches[index];
    }
    return found.size();
  }

  private void count(int count) throws Exception {
    Arrays.fill(matches, 0);
    for (int i = 0; i < count && i < events.size(); ++i) {
      match(events.get(i));
    }
    say("{\"counts\": [%s]}", Arrays.stream(matches).mapToObj(Long::toString).collect(Collectors.joining(",")));
  }

  private void run(double seconds, long most) throws Exception {
    double begin = processorSeconds();
    long done = 0;
    long bytes = 0;
    long found = 0;
    double took = 0;
    while (took < seconds && (most == 0 || done < most)) {
      for (int i = 0; i < 64; ++i, next = next + 1 < events.size() ? next + 1 : 0) {
        found += match(events.get(next));
        bytes += sizes[next];
      }
      done += 64;
      took = processorSeconds() - begin;
    }
    say("{\"events\": %d, \"bytes\": %d, \"seconds\": %.6f, \"matches\": %d}", done, bytes, took, found);
  }

  private void writeMatches(String path) throws Exception {
    List<List<Integer>> found = new ArrayList<>();
    for (String event : events) {
      found.add(machine.rulesForJSONEvent(event));
    }
    write(found, path);
  }

  private void writeMatchesAlone(String path) throws Exception {
    List<List<Integer>> found = new ArrayList<>();
    events.forEach(event -> found.add(new ArrayList<>()));
    for (int i = 0; i < patterns.size(); ++i) {
      GenericMachine<Integer> own = new GenericMachine<>();
      own.addRule(i, patterns.get(i));
      for (int event = 0; event < events.size(); ++event) {
        found.get(event).addAll(own.rulesForJSONEvent(events.get(event)));
      }
    }
    write(found, path);
  }

  private static void write(List<List<Integer>> found, String path) throws IOException {
    try (PrintWriter file = new PrintWriter(path)) {
      for (List<Integer> each : found) {
        file.print(each.stream().sorted().map(String::valueOf).collect(Collectors.joining(" ")) + "\n");
      }
    }
    say("{\"written\": %d}", found.size());
  }

  public static void main(String[] arguments) throws Exception {
    RulerSide side = new RulerSide(arguments[0], arguments[1], arguments.length > 2);
    BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
    for (String line = asked.readLine(); line != null; line = asked.readLine()) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "count" -> side.count(Integer.parseInt(words[1]));
        case "run" -> side.run(Double.parseDouble(words[1]), Long.parseLong(words[2]));
        case "matches" -> side.writeMatches(words[1]);
        case "alone" -> side.writeMatchesAlone(words[1]);
        case "memory" -> say("{\"heap_mb\": %.2f, \"resident_mb\": %.2f}", heapMb() - side.before, residentMb());
        default -> throw new IllegalArgumentException(line);
      }
    }
  }
}
