package setting

// web3 is sign-in with a wallet.
func web3() Group {
	return Group{Title: "Web3", Settings: []Setting{
		{Name: "external_web3_solana_enabled", Kind: Bool},
		{Name: "external_web3_ethereum_enabled", Kind: Bool},
	}}
}
