import { killProcess } from '../support/interruptions.ts'
import { describeInterruptions } from './interruptions.ts'

describeInterruptions('a killed process leaves', 'down', killProcess)
