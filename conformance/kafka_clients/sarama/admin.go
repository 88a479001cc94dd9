package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/IBM/sarama"
)

func (a *adapter) groups() (any, error) {
	listed, err := a.admin.ListConsumerGroups()
	names := []string{}
	for name := range listed {
		names = append(names, name)
	}
	return names, err
}

func (a *adapter) group(asked *request) (any, error) {
	described, err := a.admin.DescribeConsumerGroups([]string{asked.Group})
	if err != nil {
		return nil, err
	}
	members := []any{}
	for _, member := range described[0].Members {
		partitions := []int32{}
		assignment, err := member.GetMemberAssignment()
		if err != nil {
			return nil, err
		}
		if assignment != nil {
			for _, each := range assignment.Topics {
				partitions = append(partitions, each...)
			}
		}
		members = append(members, map[string]any{"partitions": partitions})
	}
	return map[string]any{"state": described[0].State, "members": members}, nil
}

func (a *adapter) groupOffsets(asked *request) (any, error) {
	said, err := a.admin.ListConsumerGroupOffsets(asked.Group, nil)
	if err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for partition, block := range said.Blocks[asked.Topic] {
		found[strconv.Itoa(int(partition))] = block.Offset
	}
	return found, nil
}

func (a *adapter) alterGroupOffsets(asked *request) error {
	places := map[int32]sarama.OffsetAndMetadata{}
	for partition, each := range asked.Offsets {
		number, err := strconv.Atoi(partition)
		offset, wrong := strconv.ParseInt(string(each), 10, 64)
		if err = errors.Join(err, wrong); err != nil {
			return err
		}
		places[int32(number)] = sarama.OffsetAndMetadata{Offset: offset, LeaderEpoch: -1}
	}
	said, err := a.admin.AlterConsumerGroupOffsets(asked.Group,
		map[string]map[int32]sarama.OffsetAndMetadata{asked.Topic: places}, nil)
	if err != nil {
		return err
	}
	for partition, each := range said.Errors[asked.Topic] {
		if each != sarama.ErrNoError {
			return fmt.Errorf("partition %d: %w", partition, each)
		}
	}
	return nil
}

func (a *adapter) adminOffset(asked *request) (any, error) {
	at, err := position(asked.At)
	if err != nil {
		return nil, err
	}
	said, err := a.admin.ListOffsets(map[string]map[int32]int64{asked.Topic: {asked.Partition: at}}, nil)
	if err != nil {
		return nil, err
	}
	return said[asked.Topic][asked.Partition].Offset, nil
}

func (a *adapter) deleteGroupOffsets(asked *request) error {
	var partitions []int32
	if err := json.Unmarshal(asked.Partitions, &partitions); err != nil {
		return err
	}
	for _, partition := range partitions {
		if err := a.admin.DeleteConsumerGroupOffset(asked.Group, asked.Topic, partition); err != nil {
			return err
		}
	}
	return nil
}

func (a *adapter) administer(asked *request) (any, error) {
	switch asked.Do {
	case "topics":
		return a.topics()
	case "cluster":
		return a.cluster()
	case "create_topic":
		return nil, a.createTopic(asked)
	case "delete_topic":
		return nil, a.admin.DeleteTopic(asked.Topic)
	case "configs":
		return a.configs(asked)
	case "alter_configs":
		return nil, a.admin.AlterConfig(sarama.TopicResource, asked.Topic, pointers(asked.Configs), false)
	case "alter_configs_incrementally":
		changes := map[string]sarama.IncrementalAlterConfigsEntry{}
		for name, value := range pointers(asked.Configs) {
			changes[name] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: value}
		}
		return nil, a.admin.IncrementalAlterConfig(sarama.TopicResource, asked.Topic, changes, false)
	case "create_partitions":
		if err := a.admin.CreatePartitions(asked.Topic, asked.Total, nil, false); err != nil {
			return nil, err
		}
		return nil, a.client.RefreshMetadata(asked.Topic)
	case "delete_records":
		if err := a.admin.DeleteRecords(asked.Topic, map[int32]int64{asked.Partition: asked.Before}); err != nil {
			return nil, err
		}
		return a.client.GetOffset(asked.Topic, asked.Partition, sarama.OffsetOldest)
	case "admin_offset":
		return a.adminOffset(asked)
	case "log_dirs":
		return a.logDirs(asked)
	}
	return nil, errNotOffered
}

func pointers(configs map[string]string) map[string]*string {
	found := map[string]*string{}
	for name, value := range configs {
		found[name] = &value
	}
	return found
}

func (a *adapter) topics() (any, error) {
	listed, err := a.admin.ListTopics()
	found := map[string]int32{}
	for name, topic := range listed {
		found[name] = topic.NumPartitions
	}
	return found, err
}

func (a *adapter) cluster() (any, error) {
	brokers, controller, err := a.admin.DescribeCluster()
	addresses := []string{}
	for _, each := range brokers {
		addresses = append(addresses, each.Addr())
	}
	return map[string]any{"brokers": addresses, "controller": controller}, err
}

func (a *adapter) createTopic(asked *request) error {
	partitions, err := strconv.Atoi(string(asked.Partitions))
	if err != nil {
		return err
	}
	return a.admin.CreateTopic(asked.Topic, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1,
		ConfigEntries: pointers(asked.Configs)}, false)
}

func (a *adapter) configs(asked *request) (any, error) {
	said, err := a.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: asked.Topic})
	found := map[string]string{}
	for _, each := range said {
		found[each.Name] = each.Value
	}
	return found, err
}

func (a *adapter) logDirs(asked *request) (any, error) {
	said, err := a.admin.DescribeLogDirs([]int32{1})
	size := int64(0)
	for _, folders := range said {
		for _, folder := range folders {
			for _, topic := range folder.Topics {
				for _, each := range topic.Partitions {
					if topic.Topic == asked.Topic {
						size += each.Size
					}
				}
			}
		}
	}
	return size, err
}
