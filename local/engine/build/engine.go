//go:build tools

// Package engine pins the Pulumi command line as a dependency.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
