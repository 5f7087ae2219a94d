namespace StickyWs.Http1;

/// <summary>The head of a backend's response, whichever way it came.</summary>
internal interface IAnswerHead
{
    /// <summary>Copies the value of a header.</summary>
    /// <param name="name">The header's name, compared without case.</param>
    /// <param name="occurrence">Which header of that name, from 0.</param>
    /// <param name="value">Receives the value's bytes.</param>
    /// <param name="length">The length of the value; 0 if it does not fit.</param>
    /// <returns><see langword="false"/> if there are fewer headers of that name.</returns>
    bool TryRead(string name, int occurrence, Span<byte> value, out int length);
}
