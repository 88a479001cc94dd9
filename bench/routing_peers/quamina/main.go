// quamina as one of the sides of bench/routing, which says what is asked on stdin and how it is answered:
// `quamina EVENTS PATTERNS`, both files with a JSON object a line.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"quamina.net/go/quamina/v2"
)

type side struct {
	events   [][]byte
	patterns [][]byte
	matches  []int64
	matcher  *quamina.Quamina
	before   float64
	next     int
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "quamina:", err)
		os.Exit(1)
	}
}

// Of the processor, for this thread: what else the machine does is not counted, nor is most of collecting garbage.
func processorSeconds() float64 {
	const threadCPUTime = 3
	var now syscall.Timespec
	_, _, failed := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadCPUTime, uintptr(unsafe.Pointer(&now)), 0)
	if failed != 0 {
		must(failed)
	}
	return float64(now.Sec) + float64(now.Nsec)/1e9
}

func linesOf(path string) [][]byte {
	text, err := os.ReadFile(path)
	must(err)
	return bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
}

// What is left when nothing more can be collected.
func heapMB() float64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc) / 1e6
}

func residentMB() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	must(err)
	var all, resident int
	_, err = fmt.Sscan(string(text), &all, &resident)
	must(err)
	return float64(resident*os.Getpagesize()) / 1e6
}

// The patterns from `first` on, by their numbers.
func matcherOf(patterns [][]byte, first int) *quamina.Quamina {
	matcher, err := quamina.New()
	must(err)
	for i, pattern := range patterns {
		must(matcher.AddPattern(first+i, string(pattern)))
	}
	return matcher
}

func (s *side) match(event []byte) int {
	found, err := s.matcher.MatchesForEvent(event)
	must(err)
	for _, index := range found {
		s.matches[index.(int)]++
	}
	return len(found)
}

func (s *side) count(count int) {
	clear(s.matches)
	for i := 0; i < count && i < len(s.events); i++ {
		s.match(s.events[i])
	}
	fmt.Printf("{\"counts\": [%s]}\n", strings.ReplaceAll(strings.Trim(fmt.Sprint(s.matches), "[]"), " ", ","))
}

func (s *side) run(seconds float64, most int) {
	begin := processorSeconds()
	done, size, found, took := 0, 0, 0, 0.0
	for took < seconds && (most == 0 || done < most) {
		for i := 0; i < 64; i++ {
			found += s.match(s.events[s.next])
			size += len(s.events[s.next])
			if s.next++; s.next == len(s.events) {
				s.next = 0
			}
		}
		done += 64
		took = processorSeconds() - begin
	}
	fmt.Printf("{\"events\": %d, \"bytes\": %d, \"seconds\": %.6f, \"matches\": %d}\n", done, size, took, found)
}

func (s *side) writeMatches(path string, matchers []*quamina.Quamina) {
	file, err := os.Create(path)
	must(err)
	buffered := bufio.NewWriter(file)
	for _, event := range s.events {
		var sorted []int
		for _, matcher := range matchers {
			found, err := matcher.MatchesForEvent(event)
			must(err)
			for _, index := range found {
				sorted = append(sorted, index.(int))
			}
		}
		slices.Sort(sorted)
		fmt.Fprintln(buffered, strings.Trim(fmt.Sprint(sorted), "[]"))
	}
	must(buffered.Flush())
	must(file.Close())
	fmt.Printf("{\"written\": %d}\n", len(s.events))
}

func (s *side) alone() []*quamina.Quamina {
	var matchers []*quamina.Quamina
	for i := range s.patterns {
		matchers = append(matchers, matcherOf(s.patterns[i:i+1], i))
	}
	return matchers
}

func main() {
	runtime.LockOSThread()
	s := side{events: linesOf(os.Args[1]), patterns: linesOf(os.Args[2])}
	s.matches = make([]int64, len(s.patterns))
	s.before = heapMB()
	begin := processorSeconds()
	s.matcher = matcherOf(s.patterns, 0)
	took := processorSeconds() - begin
	fmt.Printf("{\"events\": %d, \"rules\": %d, \"build_s\": %.4f, \"heap_mb\": %.2f}\n", len(s.events), len(s.patterns),
		took, heapMB()-s.before)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		words := strings.Fields(asked.Text())
		switch words[0] {
		case "count":
			var count int
			_, err := fmt.Sscan(words[1], &count)
			must(err)
			s.count(count)
		case "run":
			var seconds float64
			var most int
			_, err := fmt.Sscan(words[1]+" "+words[2], &seconds, &most)
			must(err)
			s.run(seconds, most)
		case "matches":
			s.writeMatches(words[1], []*quamina.Quamina{s.matcher})
		case "alone":
			s.writeMatches(words[1], s.alone())
		case "memory":
			fmt.Printf("{\"heap_mb\": %.2f, \"resident_mb\": %.2f}\n", heapMB()-s.before, residentMB())
		default:
			must(fmt.Errorf("not known: %s", asked.Text()))
		}
	}
}
