namespace StickyWs.Http1;

/// <summary>The head of a backend's answer, whichever way it came.</summary>
internal interface IAnswerHead
{
    /// <summary>Copies the value of a header.</summary>
    /// <param name="name">The header's name, compared without case.</param>
    /// <param name="occurrence">Which one of that name, from 0.</param>
    /// <param name="value">Takes the value's bytes.</param>
    /// <param name="length">How many there are; 0 for a value that does not fit.</param>
    /// <returns><see langword="false"/> when there are not so many of that name.</returns>
    bool TryRead(string name, int occurrence, Span<byte> value, out int length);
}
