package billing

// Quantities are how much of each meter was used.
type Quantities map[Meter]int64

// Line is a line of a bill.
type Line struct {
	Meter    Meter `json:"meter"`
	Quantity int64 `json:"quantity"`
	// Included is how much the plan includes; nil for as much as wanted.
	Included *int64 `json:"included"`
	Billable int64  `json:"billable"` // what is paid for
	Over     int64  `json:"over"`     // what is beyond the plan and not sold
	Price    Money  `json:"price"`
	Amount   int64  `json:"amount"` // US cents
}

// Bill is what a period costs.
type Bill struct {
	Base  int64  `json:"base"` // US cents
	Lines []Line `json:"lines"`
	Total int64  `json:"total"` // US cents
}

// Bill is the price of these quantities under the plan: each line is rounded to cents
// and then summed, as an invoice is. Negative quantities, which corrections may lead to,
// cost nothing.
func (p *Plan) Bill(used Quantities) Bill {
	b := Bill{Base: p.Base.Cents(), Lines: []Line{}}
	b.Total = b.Base
	for _, meter := range Meters() {
		l := Line{Meter: meter, Quantity: used[meter]}
		if q, ok := p.Meters[meter]; ok {
			l.Included = &q.Included
			switch more := max(l.Quantity-q.Included, 0); {
			case q.Price == nil:
				l.Over = more
			default:
				l.Billable, l.Price = more, *q.Price
				l.Amount = q.Price.Times(more).Cents()
			}
		}
		b.Lines = append(b.Lines, l)
		b.Total += l.Amount
	}
	return b
}

// Share is how much of what is included was used, in percent, rounded down; 0 where
// nothing limits it.
func (l *Line) Share() int {
	switch {
	case l.Included == nil || l.Quantity <= 0:
		return 0
	case *l.Included == 0:
		return 100
	}
	return int(min(l.Quantity*100 / *l.Included, 1_000_000))
}
