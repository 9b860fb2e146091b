extension Unicode.Scalar {
    /// Whether it would change how what stands around it is shown: it ends a line, hides, or turns the direction of
    /// writing.
    package var altersLine: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
