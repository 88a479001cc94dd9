// sarama: one request a line in, one answer a line out (see ../README.md).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var errNotOffered = errors.New("not offered")

type record struct {
	Partition *int32       `json:"partition,omitempty"`
	Offset    int64        `json:"offset"`
	Key       *string      `json:"key"`
	Value     *string      `json:"value"`
	Headers   [][2]*string `json:"headers"`
	Timestamp *int64       `json:"timestamp,omitempty"`
}

type options struct {
	Codec      string
	Acks       *int
	Idempotent bool
	MaxRequest int `json:"max_request"`
}

type request struct {
	Do, Topic, Name, Group, Strategy, Instance string
	Records                                    []record
	Options                                    options
	Partition, Total, Count                    int32
	Start, At, Partitions                      json.RawMessage
	AutoCommit                                 bool `json:"auto_commit"`
	Seconds                                    float64
	Offsets                                    map[string]json.RawMessage
	Configs                                    map[string]string
	Before                                     int64
}

type adapter struct {
	server    string
	producers map[string]sarama.SyncProducer
	readers   map[string]*reader
	client    sarama.Client
	admin     sarama.ClusterAdmin
}

func main() {
	a := &adapter{server: os.Args[1], producers: map[string]sarama.SyncProducer{}, readers: map[string]*reader{}}
	var err error
	if a.client, err = sarama.NewClient([]string{a.server}, config()); err != nil {
		panic(err)
	}
	if a.admin, err = sarama.NewClusterAdminFromClient(a.client); err != nil {
		panic(err)
	}
	in := bufio.NewReaderSize(os.Stdin, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		answer := map[string]any{}
		if err = json.Unmarshal(line, &asked); err == nil {
			answer["ok"], err = a.act(&asked)
		}
		switch {
		case errors.Is(err, errNotOffered):
			answer = map[string]any{"not_offered": ""}
		case err != nil:
			answer = map[string]any{"error": err.Error()}
		}
		out.Encode(answer)
	}
}

func config() *sarama.Config {
	made := sarama.NewConfig()
	made.Version = sarama.MaxVersion
	made.Metadata.Retry.Max = 20
	made.Metadata.RefreshFrequency = 2 * time.Second
	return made
}

func (a *adapter) act(asked *request) (any, error) {
	switch asked.Do {
	case "version":
		return version(), nil
	case "produce":
		return a.produce(asked)
	case "open":
		return nil, a.open(asked)
	case "join":
		return nil, a.join(asked)
	case "read":
		return a.readers[asked.Name].read(asked), nil
	case "assignment":
		return a.readers[asked.Name].partitions(), nil
	case "commit":
		return nil, a.readers[asked.Name].commit(asked)
	case "committed":
		return a.committed(asked)
	case "close":
		return nil, a.close(asked)
	case "offset":
		return a.offset(asked)
	case "groups":
		return a.groups()
	case "group":
		return a.group(asked)
	case "delete_group":
		return nil, a.admin.DeleteConsumerGroup(asked.Group)
	case "group_offsets":
		return a.groupOffsets(asked)
	case "alter_group_offsets":
		return nil, a.alterGroupOffsets(asked)
	case "delete_group_offsets":
		return nil, a.deleteGroupOffsets(asked)
	}
	return a.administer(asked)
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, each := range info.Deps {
		if each.Path == "github.com/IBM/sarama" {
			return each.Version
		}
	}
	return "unknown"
}

// --- producing

func (a *adapter) producer(asked *request, partitioner sarama.PartitionerConstructor) (sarama.SyncProducer, error) {
	name, _ := json.Marshal(asked.Options)
	if made := a.producers[string(name)]; made != nil && partitioner == nil {
		return made, nil
	}
	settings := config()
	settings.Producer.Return.Successes = true
	settings.Producer.Partitioner = sarama.NewMurmur2Partitioner
	if partitioner != nil {
		settings.Producer.Partitioner = partitioner
	}
	settings.Producer.Flush.Frequency = 20 * time.Millisecond
	settings.Producer.Retry.Max = 10
	if asked.Options.MaxRequest != 0 {
		settings.Producer.MaxMessageBytes = asked.Options.MaxRequest
	}
	if asked.Options.Acks != nil {
		settings.Producer.RequiredAcks = sarama.RequiredAcks(*asked.Options.Acks)
	} else {
		settings.Producer.RequiredAcks = sarama.WaitForAll
	}
	if asked.Options.Idempotent {
		settings.Producer.Idempotent = true
		settings.Net.MaxOpenRequests = 1
	}
	codec := asked.Options.Codec
	if codec == "" {
		codec = "none"
	}
	if err := settings.Producer.Compression.UnmarshalText([]byte(codec)); err != nil {
		return nil, err
	}
	made, err := sarama.NewSyncProducer([]string{a.server}, settings)
	if partitioner == nil && err == nil {
		a.producers[string(name)] = made
	}
	return made, err
}

func encoder(text *string) sarama.Encoder {
	if text == nil {
		return nil
	}
	return sarama.StringEncoder(*text)
}

func (a *adapter) produce(asked *request) (any, error) {
	var partitioner sarama.PartitionerConstructor
	if asked.Records[0].Partition != nil {
		partitioner = sarama.NewManualPartitioner
	}
	producer, err := a.producer(asked, partitioner)
	if err != nil {
		return nil, err
	}
	messages := []*sarama.ProducerMessage{}
	for _, each := range asked.Records {
		made := &sarama.ProducerMessage{Topic: asked.Topic, Key: encoder(each.Key), Value: encoder(each.Value)}
		if each.Partition != nil {
			made.Partition = *each.Partition
		}
		if each.Timestamp != nil {
			made.Timestamp = time.UnixMilli(*each.Timestamp)
		}
		for _, header := range each.Headers {
			made.Headers = append(made.Headers, sarama.RecordHeader{Key: []byte(*header[0]), Value: []byte(*header[1])})
		}
		messages = append(messages, made)
	}
	if err := producer.SendMessages(messages); err != nil {
		var all sarama.ProducerErrors
		if errors.As(err, &all) {
			return nil, all[0].Err
		}
		return nil, err
	}
	places := []any{}
	for _, each := range messages {
		places = append(places, map[string]any{"partition": each.Partition, "offset": each.Offset})
	}
	return places, nil
}

// --- consuming

// What a consumer of either kind has read: by the partition's own goroutine, taken by read.
type reader struct {
	messages chan *sarama.ConsumerMessage
	end      func() error
	mutex    sync.Mutex
	session  sarama.ConsumerGroupSession
	group    string
	commits  bool
}

func text(bytes []byte) *string {
	if bytes == nil {
		return nil
	}
	made := string(bytes)
	return &made
}

func (r *reader) read(asked *request) any {
	found := []record{}
	late := time.After(time.Duration(asked.Seconds * float64(time.Second)))
	for len(found) < int(asked.Count) {
		select {
		case each := <-r.messages:
			timestamp, headers := each.Timestamp.UnixMilli(), [][2]*string{}
			for _, header := range each.Headers {
				headers = append(headers, [2]*string{text(header.Key), text(header.Value)})
			}
			found = append(found, record{&each.Partition, each.Offset, text(each.Key), text(each.Value), headers, &timestamp})
			r.mutex.Lock()
			if r.session != nil && r.commits {
				r.session.MarkMessage(each, "")
			}
			r.mutex.Unlock()
		case <-late:
			return found
		}
	}
	return found
}

func (a *adapter) open(asked *request) error {
	offset := int64(0)
	var by struct{ Time int64 }
	switch {
	case string(asked.Start) == `"earliest"`:
		offset = sarama.OffsetOldest
	case string(asked.Start) == `"latest"`:
		offset = sarama.OffsetNewest
	case json.Unmarshal(asked.Start, &by) == nil:
		found, err := a.client.GetOffset(asked.Topic, asked.Partition, by.Time)
		if err != nil {
			return err
		}
		offset = found
	default:
		if err := json.Unmarshal(asked.Start, &offset); err != nil {
			return err
		}
	}
	consumer, err := sarama.NewConsumer([]string{a.server}, config())
	if err != nil {
		return err
	}
	partition, err := consumer.ConsumePartition(asked.Topic, asked.Partition, offset)
	if err != nil {
		return err
	}
	made := &reader{messages: make(chan *sarama.ConsumerMessage)}
	go func() {
		for each := range partition.Messages() {
			made.messages <- each
		}
	}()
	made.end = func() error { partition.AsyncClose(); return nil }
	a.readers[asked.Name] = made
	return nil
}

// Setup, Cleanup and ConsumeClaim are what sarama asks a member of a group to have.
func (r *reader) Setup(session sarama.ConsumerGroupSession) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.session = session
	return nil
}

func (r *reader) Cleanup(sarama.ConsumerGroupSession) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.session = nil
	return nil
}

func (r *reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case each, more := <-claim.Messages():
			if !more {
				return nil
			}
			select {
			case r.messages <- each:
			case <-session.Context().Done():
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func (r *reader) partitions() []int32 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	held := []int32{}
	if r.session != nil {
		for _, partitions := range r.session.Claims() {
			held = append(held, partitions...)
		}
	}
	return held
}

func (a *adapter) join(asked *request) error {
	settings := config()
	strategy := sarama.NewBalanceStrategyRange()
	if asked.Strategy != "" {
		strategy = sarama.NewBalanceStrategyCooperativeSticky()
	}
	settings.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	settings.Consumer.Offsets.Initial = sarama.OffsetOldest
	settings.Consumer.Offsets.AutoCommit.Enable = asked.AutoCommit
	settings.Consumer.Group.Session.Timeout = 10 * time.Second
	settings.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	settings.Consumer.Group.InstanceId = asked.Instance
	group, err := sarama.NewConsumerGroup([]string{a.server}, asked.Group, settings)
	if err != nil {
		return err
	}
	made := &reader{messages: make(chan *sarama.ConsumerMessage), group: asked.Group, commits: asked.AutoCommit}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{asked.Topic}, made); err != nil {
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	made.end = func() error {
		cancel()
		<-done
		return group.Close()
	}
	a.readers[asked.Name] = made
	return nil
}

func (r *reader) commit(asked *request) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.session == nil {
		return errors.New("not in a generation")
	}
	for partition, each := range asked.Offsets {
		var place [2]json.RawMessage
		var offset int64
		var metadata string
		number, err := strconv.Atoi(partition)
		err = errors.Join(err, json.Unmarshal(each, &place), json.Unmarshal(place[0], &offset),
			json.Unmarshal(place[1], &metadata))
		if err != nil {
			return err
		}
		r.session.MarkOffset(asked.Topic, int32(number), offset, metadata)
		r.session.ResetOffset(asked.Topic, int32(number), offset, metadata)
	}
	r.session.Commit()
	return nil
}

func (a *adapter) fetched(group, topic string, partition int32) (*sarama.OffsetFetchResponseBlock, error) {
	said, err := a.admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {partition}})
	if err != nil {
		return nil, err
	}
	found := said.GetBlock(topic, partition)
	if found == nil {
		return nil, errors.New("the partition is not in the answer")
	}
	if found.Err != sarama.ErrNoError {
		return nil, found.Err
	}
	return found, nil
}

func (a *adapter) committed(asked *request) (any, error) {
	found, err := a.fetched(a.readers[asked.Name].group, asked.Topic, asked.Partition)
	if err != nil {
		return nil, err
	}
	return []any{found.Offset, found.Metadata}, nil
}

func (a *adapter) close(asked *request) error {
	defer delete(a.readers, asked.Name)
	return a.readers[asked.Name].end()
}

func position(at json.RawMessage) (int64, error) {
	switch string(at) {
	case `"earliest"`:
		return sarama.OffsetOldest, nil
	case `"latest"`:
		return sarama.OffsetNewest, nil
	}
	return strconv.ParseInt(string(at), 10, 64)
}

func (a *adapter) offset(asked *request) (any, error) {
	at, err := position(asked.At)
	if err != nil {
		return nil, err
	}
	return a.client.GetOffset(asked.Topic, asked.Partition, at)
}
