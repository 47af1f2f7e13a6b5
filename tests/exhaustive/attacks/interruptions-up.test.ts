import { describeInterruptions } from './interruptions.ts'

describeInterruptions('up')
