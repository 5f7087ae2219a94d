namespace StickyWs.Proxying;

/// <summary>Whether the HTTP half was put into the application's pipeline.</summary>
internal sealed class PipelineMark
{
    /// <summary>Into some pipeline.</summary>
    public bool IsSet { get; private set; }

    /// <summary>Into the one that every request takes, as far as that can be told.</summary>
    public bool IsForAll { get; private set; }

    public void Set(bool isForAll)
    {
        IsSet = true;
        IsForAll |= isForAll;
    }
}
