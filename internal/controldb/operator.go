package controldb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/reevehq/reeve/internal/fault"
)

// Operator is a row of operators: a user of the platform project who runs the
// installation.
type Operator struct {
	UserID    uuid.UUID
	AddedBy   *uuid.UUID // nil for the command line
	CreatedAt time.Time
}

type operatorRow struct {
	UserID    uuid.UUID `gorm:"primaryKey"`
	AddedBy   *uuid.UUID
	CreatedAt time.Time `gorm:"default:now()"`
}

func (operatorRow) TableName() string { return "operators" }

var (
	// ErrNoOperator is returned for a user who is no operator.
	ErrNoOperator = fault.New(fault.NotFound, "operator_not_found", "Operator not found")
	// ErrLastOperator keeps an installation from having no operator.
	ErrLastOperator = fault.New(fault.Conflict, "last_operator", "The last operator cannot be removed: add another one first")
)

// Operators lists the operators, the first one first.
func (r reader) Operators(ctx context.Context) ([]Operator, error) {
	var rows []operatorRow
	err := r.with(ctx).Order("created_at, user_id").Find(&rows).Error
	out := make([]Operator, len(rows))
	for i, row := range rows {
		out[i] = Operator(row)
	}
	return out, Fault(err)
}

// IsOperator reports whether a user is an operator.
func (r reader) IsOperator(ctx context.Context, user uuid.UUID) (is bool, err error) {
	err = r.with(ctx).Raw("SELECT EXISTS (SELECT FROM operators WHERE user_id = ?)", user).Scan(&is).Error
	return is && err == nil, Fault(err)
}

// AddOperator makes a user an operator; one who is stays as they are.
func (tx *Tx) AddOperator(ctx context.Context, user uuid.UUID, by *uuid.UUID) error {
	row := operatorRow{UserID: user, AddedBy: by}
	return Fault(tx.with(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error)
}

// RemoveOperator ends that a user is an operator. ErrNoOperator, ErrLastOperator.
func (tx *Tx) RemoveOperator(ctx context.Context, user uuid.UUID) error {
	if err := tx.lockOperators(ctx); err != nil {
		return err
	}
	all, err := tx.Operators(ctx)
	if err != nil {
		return err
	}
	if len(all) == 1 && all[0].UserID == user {
		return ErrLastOperator
	}
	return changed(tx.with(ctx).Where("user_id = ?", user).Delete(&operatorRow{}), ErrNoOperator)
}

// lockOperators keeps others from changing who is an operator, and from using a
// setup link, until the transaction ends.
func (tx *Tx) lockOperators(ctx context.Context) error {
	return Fault(tx.with(ctx).Exec("LOCK TABLE operators IN SHARE ROW EXCLUSIVE MODE").Error)
}
