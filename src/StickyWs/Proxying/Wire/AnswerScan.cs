namespace StickyWs.Proxying;

/// <summary>
/// Finds the status of the final response in the bytes of an HTTP/1.1 connection, after any interim responses (RFC 9110 section 15.2). It validates
/// nothing; the reader of the response does.
/// </summary>
internal struct AnswerScan
{
    private const int StatusAt = 9;
    private const int StatusEnd = 12;

    private int _column;
    private bool _isInHead;

    /// <summary>The status of the final response; 0 until it is known.</summary>
    public int Final { get; private set; }

    private int Status { get; set; }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (Final != 0) return;
            if (_isInHead) SkipHead(value);
            else ReadStatus(value);
        }
    }

    private void ReadStatus(byte value)
    {
        if (_column is >= StatusAt and < StatusEnd) Status = (Status * 10) + (value - '0');
        if (++_column < StatusEnd) return;
        if (Status is < 100 or >= 200 or 101) Final = Status == 0 ? -1 : Status;
        (_isInHead, Status) = (true, 0);
    }

    // An interim response ends with an empty line.
    private void SkipHead(byte value)
    {
        if (value == '\r') return;
        if (value != '\n')
        {
            _column++;
            return;
        }

        if (_column == 0) _isInHead = false;
        _column = 0;
    }
}
