// Sign-in at LemonLDAP::NG.
import { LemonLDAP } from './lemonldap.js'
import { suite } from './suite.js'

suite(LemonLDAP)
