package usage

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"github.com/google/uuid"
)

// Sketch estimates how many distinct users were added, and can be merged with
// others: HyperLogLog (Flajolet et al., 2007) with linear counting for small
// numbers. The standard error is 1.04/√registers, 1.6 %. The zero value is empty.
type Sketch struct {
	ranks map[uint16]uint8 // of the registers that are not zero
}

const (
	indexBits = 12
	registers = 1 << indexBits
	maxRank   = 64 - indexBits + 1
	// sparseEntry is the size of an encoded register of a sparse sketch.
	sparseEntry = 3
)

// Add adds a user. Whoever chooses the ids of users can shift the estimate of
// their own project only.
func (s *Sketch) Add(id uuid.UUID) {
	digest := sha256.Sum256(id[:])
	h := binary.BigEndian.Uint64(digest[:])
	rank := uint8(bits.LeadingZeros64(h<<indexBits|1<<(indexBits-1)) + 1)
	s.raise(uint16(h>>(64-indexBits)), rank)
}

// raise reports whether the register was lower.
func (s *Sketch) raise(index uint16, rank uint8) bool {
	if s.ranks[index] >= rank {
		return false
	}
	if s.ranks == nil {
		s.ranks = map[uint16]uint8{}
	}
	s.ranks[index] = rank
	return true
}

// Merge adds the users of o, and reports whether that changed s.
func (s *Sketch) Merge(o Sketch) (changed bool) {
	for index, rank := range o.ranks {
		changed = s.raise(index, rank) || changed
	}
	return changed
}

// Users is the estimate.
func (s *Sketch) Users() int64 {
	zero := registers - len(s.ranks)
	sum := float64(zero)
	for _, rank := range s.ranks {
		sum += math.Ldexp(1, -int(rank))
	}
	const alpha = 0.7213 / (1 + 1.079/registers)
	estimate := alpha * registers * registers / sum
	if estimate <= 2.5*registers && zero > 0 {
		estimate = registers * math.Log(float64(registers)/float64(zero))
	}
	return int64(math.Round(estimate))
}

// Bytes encodes the sketch: all registers, or index and rank of those that are
// not zero if that is shorter.
func (s *Sketch) Bytes() []byte {
	if len(s.ranks)*sparseEntry >= registers {
		out := make([]byte, registers)
		for index, rank := range s.ranks {
			out[index] = rank
		}
		return out
	}
	out := make([]byte, 0, len(s.ranks)*sparseEntry)
	for index := range uint16(registers) {
		if rank := s.ranks[index]; rank > 0 {
			out = append(binary.BigEndian.AppendUint16(out, index), rank)
		}
	}
	return out
}

var errSketch = errors.New("not a sketch")

// ParseSketch decodes Bytes.
func ParseSketch(b []byte) (s Sketch, err error) {
	switch {
	case len(b) == registers:
		for index, rank := range b {
			if rank > maxRank {
				return Sketch{}, errSketch
			}
			s.raise(uint16(index), rank)
		}
	case len(b) < registers && len(b)%sparseEntry == 0:
		for ; len(b) > 0; b = b[sparseEntry:] {
			index := binary.BigEndian.Uint16(b)
			if index >= registers || b[2] == 0 || b[2] > maxRank {
				return Sketch{}, errSketch
			}
			s.raise(index, b[2])
		}
	default:
		return Sketch{}, errSketch
	}
	return s, nil
}
