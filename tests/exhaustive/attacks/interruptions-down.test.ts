import { describeInterruptions } from './interruptions.ts'

describeInterruptions('down')
