namespace StickyWs.Hosting;

/// <summary>Whether the HTTP half was put into some pipeline of the application.</summary>
internal sealed class PipelineMark
{
    public bool IsSet { get; private set; }

    public void Set() => IsSet = true;
}
