package project

// For tests of the ids of branches.
var (
	BranchID    = branchID
	RefOfBranch = refOfBranch
)
