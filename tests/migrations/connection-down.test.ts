import { cutConnections } from '../support/interruptions.ts'
import { describeInterruptions } from './interruptions.ts'

describeInterruptions('a cut connection leaves', 'down', cutConnections)
