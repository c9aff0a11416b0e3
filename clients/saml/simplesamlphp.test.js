// Sign-in at SimpleSAMLphp.
import { suite } from './suite.js'
import { SimpleSAMLphp } from './simplesamlphp.js'

suite(SimpleSAMLphp, { byAddress: true })
